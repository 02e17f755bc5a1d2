"""How a Kafka is reached, and that its text shows no secret."""

import ssl

import msgspec
import pytest

from schemas.kafka import Kafka

OPEN = Kafka("a:1,b:2")
SECURED = Kafka("a:1", "robot", "hunter2")


def test_without_a_user_both_libraries_get_the_address_alone():
    assert OPEN.client() == {"bootstrap_servers": "a:1,b:2"}
    assert OPEN.librdkafka() == {"bootstrap.servers": "a:1,b:2"}


def test_with_a_user_both_libraries_speak_tls_and_scram():
    given = SECURED.client()
    context = given.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert given == {
        "bootstrap_servers": "a:1",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "robot",
        "sasl_plain_password": "hunter2",
    }
    assert SECURED.librdkafka()["sasl.mechanism"] == "SCRAM-SHA-512"
    assert "ssl.ca.pem" not in SECURED.librdkafka()
    assert Kafka("a:1", "robot", "x", "PEM").librdkafka()["ssl.ca.pem"] == "PEM"


def test_its_text_is_the_address_and_shows_no_secret():
    assert str(SECURED) == f"{SECURED}" == "a:1"
    assert repr(SECURED) == "Kafka('a:1', user='robot')"
    assert "hunter2" not in str([SECURED, dict(SECURED.__rich_repr__())])


def test_what_is_written_down_is_read_again():
    assert msgspec.json.decode(msgspec.json.encode(SECURED), type=Kafka) == SECURED


@pytest.mark.parametrize(("kafka", "user"), [(OPEN, False), (SECURED, True)])
def test_a_topic_that_is_not_shown_may_be_missing_or_the_users_right(kafka, user):
    said = kafka.without({"b", "a"})
    assert "has no topic a, b" in said
    assert ("user robot" in said) is user
