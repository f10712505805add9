"""What authors run: record, check, rehearse, audit; and what makes the environment."""

import sys

# As if it were not installed: jsonschema, with which notebooks are validated, takes it to check addresses, of which a
# notebook's schema has none, and each process that imports it compiles a grammar for two seconds.
sys.modules["rfc3987_syntax"] = None  # pyrefly: ignore[unsupported-operation]
