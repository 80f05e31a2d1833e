"""The variables of the environment that hold credentials: a broker's when it is served, and when it is called."""

USERNAME, PASSWORD, TOKEN = "OPENBROKER_USERNAME", "OPENBROKER_PASSWORD", "OPENBROKER_TOKEN"
