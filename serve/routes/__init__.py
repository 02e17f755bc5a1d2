"""The routes of the API and the page, one file a subject."""
