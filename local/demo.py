"""Who and what the demo consists of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PASSWORD = "Correct-Horse-7"

PEOPLE: Mapping[str, Mapping[str, str]] = {
    "admin": {"email": "admin@example.com", "firstName": "Ada", "lastName": "Lindqvist"},
    "organizer": {
        "email": "organizer@example.com",
        "firstName": "Olivia",
        "lastName": "Okafor",
        "accountType": "ORGANIZER",
    },
    "attendee": {"email": "attendee@example.com", "firstName": "Alan", "lastName": "Moreau"},
}


@dataclass(frozen=True)
class DemoEvent:
    """An event with its ticket types, in so many days at 19:00 UTC."""

    in_days: int
    details: Mapping[str, str]
    ticket_types: Sequence[Mapping[str, object]]


EVENTS: Sequence[DemoEvent] = (
    DemoEvent(
        21,
        {
            "name": "Night Trains: a concert in the old station",
            "description": "Nordic jazz under the iron roof of platform two. Doors open an hour before.",
            "timeZone": "Europe/Berlin",
            "venueName": "Alter Bahnhof",
            "venueAddress": "Bahnhofstraße 12, 10115 Berlin",
            "category": "music",
        },
        (
            {
                "name": "Standing",
                "price": "29.00",
                "currency": "EUR",
                "quantityAvailable": 400,
                "perPersonLimit": 6,
            },
            {
                "name": "Gallery seat",
                "price": "49.50",
                "currency": "EUR",
                "quantityAvailable": 80,
                "perPersonLimit": 4,
                "venueZone": "Gallery",
            },
        ),
    ),
    DemoEvent(
        35,
        {
            "name": "The Tempest",
            "description": "Shakespeare's last island, in two hours and without an interval.",
            "timeZone": "Europe/London",
            "venueName": "Harbour Playhouse",
            "venueAddress": "3 Quay Street, Bristol BS1 4QA",
            "category": "theatre",
        },
        (
            {
                "name": "Stalls",
                "price": "38.00",
                "currency": "GBP",
                "quantityAvailable": 220,
                "perPersonLimit": 8,
            },
            {
                "name": "Balcony",
                "price": "19.00",
                "currency": "GBP",
                "quantityAvailable": 90,
                "perPersonLimit": 8,
            },
        ),
    ),
    DemoEvent(
        14,
        {
            "name": "City Derby: Rovers against Athletic",
            "description": "The last home game of the season.",
            "timeZone": "America/New_York",
            "venueName": "Riverside Arena",
            "venueAddress": "500 River Road, Newark, NJ 07102",
            "category": "sport",
        },
        (
            {
                "name": "North stand",
                "price": "25.00",
                "currency": "USD",
                "quantityAvailable": 1200,
                "perPersonLimit": 10,
            },
            {
                "name": "Box",
                "price": "180.00",
                "currency": "USD",
                "quantityAvailable": 12,
                "perPersonLimit": 2,
                "venueZone": "Box",
            },
        ),
    ),
    DemoEvent(
        60,
        {
            "name": "Queues & Counters: a day on systems that sell out",
            "description": "Six talks and a long lunch about inventory, money and honesty under load.",
            "timeZone": "America/Los_Angeles",
            "venueName": "Mission Hall",
            "venueAddress": "2868 Mission Street, San Francisco, CA 94110",
            "category": "conference",
        },
        (
            {
                "name": "Early bird",
                "price": "149.00",
                "currency": "USD",
                "quantityAvailable": 50,
                "perPersonLimit": 3,
            },
            {
                "name": "Regular",
                "price": "249.00",
                "currency": "USD",
                "quantityAvailable": 250,
                "perPersonLimit": 10,
            },
        ),
    ),
)
