"""What an operator may change about the events on offer without a deployment."""

from shared.settings import Setting

EVENT_CACHE_SECONDS = Setting("event_cache_seconds", 3600, "Seconds that Redis keeps an event")
EVENT_CACHE_TRUST_SECONDS = Setting(
    "event_cache_trust_seconds",
    10,
    "Seconds for which a cached event is shown before PostgreSQL is asked again",
)
SEARCH_CACHE_SECONDS = Setting(
    "search_cache_seconds", 900, "Seconds that Redis keeps a page of search results"
)
PLACEHOLDER_IMAGE_URL = Setting(
    "placeholder_image_url",
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 9'%3E"
    "%3Crect width='16' height='9' fill='%23d8dee9'/%3E%3C/svg%3E",
    "The picture of an event that has none; this one needs no server",
)
