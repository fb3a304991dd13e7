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
COMPLETED_AFTER_HOURS = Setting(
    "completed_after_hours", 24, "Hours after its date at which a published event is completed"
)
COMPLETE_LIMIT = Setting("complete_limit", 200, "Events that one run of the job completes at most")
IMAGE_MAX_BYTES = Setting(
    "image_max_bytes", 5 * 1024 * 1024, "Bytes that an uploaded picture may have; not more than the default"
)
IMAGE_MAX_PIXELS = Setting("image_max_pixels", 40_000_000, "Pixels that an uploaded picture may have")
IMAGE_UPLOAD_SECONDS = Setting("image_upload_seconds", 900, "Seconds for which a form for an upload is good")
IMAGE_AWAITED_SECONDS = Setting(
    "image_awaited_seconds",
    90_000,
    "Seconds after which an upload is not awaited any more (the bucket forgets files after a day)",
)
IMAGE_KEPT_SECONDS = Setting(
    "image_kept_seconds", 3600, "Seconds for which a picture stays that has been replaced"
)
IMAGE_REMOVE_LIMIT = Setting("image_remove_limit", 200, "Pictures that one run of the job removes at most")
IMAGE_LARGE_PIXELS = Setting("image_large_pixels", 1600, "The width of an event's large picture")
IMAGE_MEDIUM_PIXELS = Setting("image_medium_pixels", 800, "The width of the picture that imageUrl names")
IMAGE_SMALL_PIXELS = Setting("image_small_pixels", 320, "The width of an event's small picture")
IMAGE_QUALITY = Setting("image_quality", 82, "The quality of pictures, from 1 to 95 as JPEG counts it")
PICTURES_SHOWN = Setting(
    "pictures_shown",
    True,
    "False while the pictures' server is out of order: every event then has the placeholder that needs none",
)
PLACEHOLDER_IMAGE_URL = Setting(
    "placeholder_image_url",
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 9'%3E"
    "%3Crect width='16' height='9' fill='%23d8dee9'/%3E%3C/svg%3E",
    "The picture of every event while pictures_shown is false; this one needs no server",
)
