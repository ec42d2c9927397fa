"""mailproof in pytest: scenario files are test files, each scenario or check is an item, throwaway servers are fixtures."""
from .items import Latitude
from .servers import Server
from .tool import Mailproof, Run, Trouble

__all__ = ["Latitude", "Mailproof", "Run", "Server", "Trouble"]
