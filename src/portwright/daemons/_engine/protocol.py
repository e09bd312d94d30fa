"""What a reader of a daemon is: from an Invocation, or from one config file, to what the daemon says."""

from collections.abc import Callable, Mapping

from portwright.facts import Endpoint, FileNeed, Invocation, ServiceFact
from portwright.trees import Files

DaemonFact = Endpoint | ServiceFact | FileNeed
Packages = Mapping[str, str]
Reader = Callable[[Invocation, Files, Packages], tuple[DaemonFact, ...]]
FragmentReader = Callable[[str, Files, Packages], tuple[DaemonFact, ...]]
Shape = Callable[[Invocation], bool]
