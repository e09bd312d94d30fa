"""One room: .NET."""
