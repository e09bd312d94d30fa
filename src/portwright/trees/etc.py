"""The content of a host's /etc in a folder of any name, read as /etc: a clone of etckeeper's repository, `scp -r host:/etc web1`."""

import stat

from portwright.trees.directory import DirectoryTree

_ETC = "/etc"


class EtcTree(DirectoryTree):
    """A folder as the only one of a host. Links of it are those of the host, so `/etc/x` leads into the folder, and `/usr/x` nowhere."""

    def close(self) -> None:
        super().close()
        self._types[_ETC] = stat.S_IFDIR
        self._names[""] = ("etc",)

    def _scan(self, directory: str) -> list[tuple[str, int]]:
        return super()._scan(directory) if directory else [("etc", stat.S_IFDIR)]

    def _open_directory(self, directory: str) -> int:
        return self._open_root() if directory == _ETC else super()._open_directory(directory)

    def _is_mounted(self, top: str) -> bool:
        return False
