"""The engine: what is common to all daemons. Where their rooms are, what a descriptor says, and what follows for one that is started."""
