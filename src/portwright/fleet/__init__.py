"""Many hosts: what is copied of each, who is asked, and which ports are free on all of them."""
