"""What is in force and which line said so: sysctl and systemd precedence, command lines, invocations."""
