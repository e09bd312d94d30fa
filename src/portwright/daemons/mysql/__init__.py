"""One room: MySQL and MariaDB."""
