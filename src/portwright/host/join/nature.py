"""What a daemon is like changes the power it is started with: a user namespace of its own, a loader that no longer finds libraries."""

from portwright._start.records import replace
from portwright.facts import Invocation, Traits
from portwright.system.processes.privileges import in_user_namespace
from portwright.trees import Files

NOT_LOADED = "127"
_LIBRARIES = "LD_LIBRARY_PATH"


def as_it_runs(invocation: Invocation, traits: Traits, files: Files) -> Invocation:
    """An invocation with the power that its daemon, being as it is, makes of what it is given."""
    given = invocation.privileges
    told = invocation.environment.get(_LIBRARIES)
    if given.uid0 or not (traits.rootless or traits.loads_from_origin or told is not None) or not invocation.argv:
        return invocation
    at = invocation.argv[0].at
    if told is not None and given.fails is None and not given.no_new_privileges and given.file_permitted | given.file_inheritable:
        from portwright.system.host_files.libraries import searched

        # Only what is in no other place that the loader looks into is missed.
        places = [each for each in told.text.split(":") if any(".so" in name for name in files.names(each))]
        if places and not all(searched(each, files) for each in places):
            held = ", ".join(sorted(given.file_permitted | given.file_inheritable))
            why = f"the file of its program has {held}, so the loader ignores {_LIBRARIES}={told.text}"
            return replace(invocation, privileges=replace(given, fails=NOT_LOADED, because=(*given.because, (why, told.at))))
    if traits.rootless and not given.private_users:
        return replace(invocation, privileges=in_user_namespace(given, invocation.program, at))
    if traits.loads_from_origin and given.fails is None and given.file_permitted | given.file_inheritable:
        from portwright.system.host_files.libraries import searched

        program = files.resolve(invocation.argv[0].text)
        # Somebody who met this put the directory on the loader's own path.
        if not searched(program.rpartition("/bin/")[0] or program, files):
            held = ", ".join(sorted(given.file_permitted | given.file_inheritable))
            why = f"the file of its program has {held}, so the loader ignores $ORIGIN and does not find the libraries beside it"
            return replace(invocation, privileges=replace(given, fails=NOT_LOADED, because=(*given.because, (why, at))))
    return invocation
