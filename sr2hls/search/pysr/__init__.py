"""The engine `pysr`: a search's problem and settings → one run of PySR → candidates. Needs PySR and Julia."""

from sr2hls.search.pysr.run import julia_available, search_with_pysr

__all__ = ["julia_available", "search_with_pysr"]
