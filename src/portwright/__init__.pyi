from portwright.api import Error as Error
from portwright.api import Finding as Finding
from portwright.api import Gap as Gap
from portwright.api import Place as Place
from portwright.api import Result as Result
from portwright.api import check as check

__version__: str
__all__ = ("Error", "Finding", "Gap", "Place", "Result", "__version__", "check")
