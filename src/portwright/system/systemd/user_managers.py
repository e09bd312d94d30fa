"""systemd managers of lingering users, which start their own units at boot: Invocations and sockets as those users."""

from collections.abc import Iterable, Iterator

from portwright._start.records import dataclass, replace
from portwright.facts import Invocation, Privileges, Unit
from portwright.source import Span, Word
from portwright.system.host_files.accounts import Account
from portwright.system.host_files.captures import Captured
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.units import Units, linger, of_user
from portwright.trees import Files


@dataclass(frozen=True)
class Manager:
    """One user's manager: the system unit it runs in, and its units."""

    user: Account
    unit: Unit
    units: Units
    at: Span

    def invocations(self, files: Files, captured: Captured) -> Iterator[Invocation]:
        """What its services start: as its user, with the user's own power whatever User= and capabilities they ask for."""
        for unit in self.units.each:
            if unit.kind == "service" and unit.state == "loaded" and "@." not in unit.name:
                for found in invocations(unit, self.units, files, captured):
                    yield self._lived_in(found, unit)

    def sockets(self) -> Iterable[tuple[Unit, Invocation]]:
        """Its loaded .socket units, each with the manager as the one who binds."""
        for unit in self.units.each:
            if unit.kind == "socket" and unit.state == "loaded":
                yield (
                    unit,
                    self._lived_in(Invocation(unit.name, (Word("systemd", unit.at),), unit.at, starts=unit.starts, why=unit.why), unit),
                )

    def _lived_in(self, found: Invocation, unit: Unit) -> Invocation:
        own = found.privileges
        user = Privileges(
            user=self.user.name,
            uid0=False,
            bounding=own.bounding,
            no_new_privileges=own.no_new_privileges,
            private_network=own.private_network,
            families=own.families,
            denied_call=own.denied_call,
            file_permitted=own.file_permitted,
            file_inheritable=own.file_inheritable,
            setuid_root=own.setuid_root,
            file_known=own.file_known,
            private_users=own.private_users,
            bind_helper=own.bind_helper,
            because=((f"{self.user.name} lingers, and {unit.name} is the user's own", self.at), *own.because),
        )
        starts, why = found.starts, f"{self.user.name} lingers ({self.at}), and in the user's manager {found.why}"
        if starts == "boot" and self.unit.starts != "boot":
            starts, why = self.unit.starts, self.unit.why
        directory = self.user.home if found.directory in ("/", "/root") else found.directory
        given = {"HOME": self.user.home, "USER": self.user.name, "XDG_RUNTIME_DIR": f"/run/user/{self.user.uid}"}
        environment = {**{name: Word(value, self.at) for name, value in given.items()}, **found.environment}
        return replace(
            found,
            unit=self.unit.name,
            privileges=user,
            starts=starts,
            why=why,
            directory=directory,
            environment=environment,
            sockets=found.sockets,
        )


def managers(units: Units, files: Files) -> tuple[Manager, ...]:
    """The managers that a boot starts because their user lingers. A copy need not have user@.service, which every systemd brings."""
    found = []
    for user, at in linger(files):
        name = f"user@{user.uid}.service"
        unit = units.get(name) or Unit(name, at, (), (), "loaded", (name,), "boot", f"{user.name} lingers: {at}")
        if unit.state == "loaded":
            found.append(Manager(user, unit, of_user(files, user), at))
    return tuple(found)
