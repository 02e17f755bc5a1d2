"""Every query that the runbook says to type runs on the real tables."""

import psycopg

from support import alert_rules

QUERIES = [command.split('"')[1] for command in alert_rules.commands() if command.startswith("psql -c")]


def test_the_queries_of_the_runbook_run(database_url):
    assert len(QUERIES) >= 10
    with psycopg.connect(database_url, autocommit=True) as connection:
        for query in QUERIES:
            assert connection.execute(query).description, query
