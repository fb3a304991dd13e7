-- What became of a mail after its provider took it, and the addresses that nothing more is sent to.

CREATE TABLE suppressed_addresses (
    email           VARCHAR(255) PRIMARY KEY CHECK (email = lower(email)),
    reason          VARCHAR(50) NOT NULL CHECK (reason IN ('BOUNCED', 'COMPLAINED')),
    notification_id UUID,                        -- the mail that brought it about
    suppressed_at   TIMESTAMPTZ NOT NULL         -- when the provider saw it
);

ALTER TABLE notifications DROP CONSTRAINT notifications_delivery_status_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_delivery_status_check
    CHECK (delivery_status IN ('SENT', 'DELIVERED', 'BOUNCED', 'COMPLAINED', 'SUPPRESSED'));
ALTER TABLE notifications ADD CONSTRAINT suppressed_is_not_sent
    CHECK (delivery_status IS DISTINCT FROM 'SUPPRESSED' OR status = 'FAILED');
