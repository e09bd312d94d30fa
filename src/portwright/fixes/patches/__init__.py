"""What a fix is in a repository: edits of its own files, at the line that decides or where the repository says such things already."""
