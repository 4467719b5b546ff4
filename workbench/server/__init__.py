"""The service of a workspace: what talks HTTP, and the processes that `workbench up` keeps."""
