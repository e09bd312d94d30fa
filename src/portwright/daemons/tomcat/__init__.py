"""One room: Tomcat."""
