"""What rules may ask of what connects elsewhere: whether it runs, whether it was asked to keep connections, and who closes them."""

from portwright.changes.edits import Edits
from portwright.facts import Outbound
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.registry import Derived, fact_value


@fact_value("outbound", "deployed")
def outbound_deployed(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether its daemon runs from boot; in a repository, where no file states what is enabled, everything counts as deployed."""
    return Derived(outbound.starts == "boot" or (host.repository and outbound.starts is None))


@fact_value("outbound", "asks-for-keepalive")
def asks_for_keepalive(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether a line configures keep-alive, even without effect."""
    at = outbound.asked_at
    # Where the same line decides, the reason stands there already.
    elsewhere = at is not None and at != outbound.decided_at
    return Derived(at is not None, (Note(f"{outbound.app} is to keep connections to {outbound.name}", at),) if elsewhere else ())


@fact_value("outbound", "closes-first")
def closes_first(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether this host closes connections first, so that the port stays in TIME_WAIT here."""
    first = outbound.traits.closes_first
    return Derived(first != "no", confidence="certain" if first in ("yes", "no") else "possible")


@fact_value("outbound", "binds-first")
def binds_first(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether it binds its source address before it connects without IP_BIND_ADDRESS_NO_PORT, which takes the port for all destinations."""
    return Derived(outbound.bound_at is not None)


@fact_value("outbound", "picks-source-ports")
def picks_source_ports(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether it takes its source ports from a range of its own, at an address of its own, so and not from the kernel's range."""
    return Derived(bool(outbound.source_ports) and outbound.source_address is not None)


@fact_value("outbound", "source-ports-ignored")
def source_ports_in_vain(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether a range of source ports is configured without an address, which has no effect."""
    return Derived(bool(outbound.source_ports) and outbound.source_address is None)


@fact_value("outbound", "edits-that-keep")
def edits_that_keep(host: Host, outbound: Outbound) -> Derived[Edits | None]:
    """The lines of its daemon's config that would have its connections kept; unknown where a line stands in the way."""
    told = outbound.keeping
    if told is None or told.refused or not told.rewrites:
        return Derived(None)
    from portwright.daemons import edit_of  # few hosts have such a finding

    check, apply = edit_of(outbound.app, told.config)
    return Derived(Edits(outbound.unit or "", told, check, apply))


@fact_value("outbound", "why-not-kept-by-an-edit")
def why_not_kept_by_an_edit(host: Host, outbound: Outbound) -> Derived[str]:
    """The line that stands in the way of an edit that would have its connections kept, or that none is known."""
    told = outbound.keeping
    return Derived("no edit of the config is known that would do it" if told is None or not told.refused else told.refused)
