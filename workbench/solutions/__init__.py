"""Solutions: folders of content. Not built yet: the place is kept."""
