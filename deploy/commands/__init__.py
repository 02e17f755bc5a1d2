"""One module a command of `robovitals`; `deploy.cli` lists them and imports the chosen one only."""
