"""One room: Tcl."""
