"""One room: Daphne."""
