"""The doors: what each wire protocol says, as rows. Pure: bytes in, parts of a batch out, nothing stored."""
