"""The IAM services of ibm-platform-services, unmodified but for their URL, and how a walk says what it expects."""

import os

from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, IAMAuthenticator

URL = os.environ["PORTCULLIS_URL"]
ACCOUNT = os.environ["PORTCULLIS_ACCOUNT"]
KEY = os.environ["PORTCULLIS_KEY"]

steps = 0


def service(kind, key=KEY):
    """A service of the SDK that logs in with an API key; without one, with a token that is none."""
    known = IAMAuthenticator(key, url=URL) if key else BearerTokenAuthenticator("eyJhbGciOiJub25lIn0.e30.AA")
    made = kind(authenticator=known)
    made.set_service_url(URL)
    return made


def done(status, answer):
    """What came of a call that must end with that status."""
    global steps
    steps += 1
    found = answer.get_status_code()
    assert found == status, f"{found} instead of {status}: {answer}"
    return answer.get_result()


def tag(answer):
    """The ETag of an answer, as the SDK's users pass it back."""
    return answer.get_headers()["ETag"]


def refused(status, code, call, *arguments, **named):
    """Makes a call that must be refused with that status and code; returns what the SDK says of it."""
    global steps
    steps += 1
    try:
        answer = call(*arguments, **named)
    except ApiException as error:
        body = error.http_response.json() if error.http_response.content else {}
        complaint = (body.get("errors") or [{}])[0]
        found = complaint.get("message_code") or complaint.get("code") or body.get("errorCode")
        assert (error.status_code, found) == (status, code), f"{error.status_code} {body}"
        # The answer to a HEAD has no body for the SDK to quote.
        assert not body or complaint.get("message", body.get("errorMessage")) == error.message, (error.message, body)
        return body
    raise AssertionError(f"{call.__name__} was answered: {answer}")


def same(found, **wanted):
    """Checks members of an answer."""
    for name, value in wanted.items():
        assert found.get(name) == value, f"{name}: {found.get(name)!r} instead of {value!r} in {found}"


def every(call, rows, **named):
    """All rows of a list that is paged by a token in `next`."""
    from urllib.parse import parse_qs, urlparse

    token, found = None, []
    while True:
        page = done(200, call(**named, **({"pagetoken": token} if token else {})))
        found += page[rows]
        if not page.get("next"):
            return found
        token = parse_qs(urlparse(page["next"]).query)["pagetoken"][0]


def finish():
    """The last line, by which the suite knows that the walk has ended where it should."""
    print(f"walked {steps} steps")
