"""What an operator may change about accounts and sessions without a deployment."""

from shared.settings import Setting

ACCESS_TOKEN_SECONDS = Setting("access_token_seconds", 900, "Seconds for which an access token is good")
SESSION_DAYS = Setting("session_days", 30, "Days after which a session that is not refreshed ends")
SESSION_CACHE_HOURS = Setting("session_cache_hours", 24, "Hours that Redis keeps the sessions of a user")
SESSION_CACHE_TRUST_SECONDS = Setting(
    "session_cache_trust_seconds",
    5,
    "Seconds for which a cached session is believed; ending one takes as long while Redis cannot be told (at most 5)",
)

VERIFICATION_HOURS = Setting(
    "verification_hours", 48, "Hours for which a link that verifies an address is good"
)
PASSWORD_RESET_MINUTES = Setting(
    "password_reset_minutes", 60, "Minutes for which a link that resets a password is good"
)
LINKS_PER_HOUR = Setting("links_per_hour", 5, "Links of one kind that are mailed to one account in an hour")

PASSWORD_MIN_LENGTH = Setting("password_min_length", 10, "Characters that a new password has at least")

SIGN_IN_WINDOW_MINUTES = Setting("sign_in_window_minutes", 15, "Minutes for which a failed sign-in counts")
SIGN_IN_FAILURES_PER_ACCOUNT = Setting(
    "sign_in_failures_per_account",
    10,
    "Failed sign-ins to one account from one address before it has to wait",
)
SIGN_IN_FAILURES_PER_ADDRESS = Setting(
    "sign_in_failures_per_address",
    100,
    "Failed sign-ins to any account from one address before it has to wait",
)

EXPORTS_PER_DAY = Setting("exports_per_day", 3, "Exports of one's data that a user may ask for in a day")
EXPORT_LINK_DAYS = Setting(
    "export_link_days", 7, "Days for which the link to an export is good (the file is gone after eight)"
)
EXPORT_DOWNLOAD_SECONDS = Setting(
    "export_download_seconds", 300, "Seconds for which the address that such a link leads to is good"
)
EXPORT_ASK_AGAIN_SECONDS = Setting(
    "export_ask_again_seconds", 300, "Seconds after which services are asked again for a part of an export"
)
EXPORT_ASK_AGAIN_LIMIT = Setting(
    "export_ask_again_limit", 100, "Exports whose missing parts one run of the job asks for again at most"
)
EXPORT_GIVE_UP_HOURS = Setting(
    "export_give_up_hours", 48, "Hours after which an export that a service never answered is given up"
)
EXPORT_RECORD_DAYS = Setting(
    "export_record_days", 30, "Days for which it is remembered that there was an export"
)
