"""The database: how it is opened, and the types every table uses."""
