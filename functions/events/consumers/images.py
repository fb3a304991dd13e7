"""Pictures that were uploaded, as S3 tells of them."""

from functions.events import image_store, images
from functions.events.database import database
from shared.clock import now
from shared.uploads import Upload, Uploads

consumer = Uploads(database, queue="events-images")


@consumer.each
def take(upload: Upload) -> None:
    """Check the file, make pictures of it, and show them."""
    upload_id = image_store.upload_of(upload.key)
    if upload_id is not None:
        images.take(database, upload_id, upload.etag, now())


handler = consumer.handler
