-- Mails: whom they go to, what they look like, and what became of each.

CREATE TABLE recipients (
    user_id    UUID PRIMARY KEY,
    email      VARCHAR(255) NOT NULL,
    first_name VARCHAR(100) NOT NULL,
    last_name  VARCHAR(100) NOT NULL,
    version    INTEGER NOT NULL,                 -- of the user, as auth counts
    changed_at TIMESTAMPTZ NOT NULL              -- when auth said so
);

CREATE TABLE notification_templates (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name            VARCHAR(100) NOT NULL UNIQUE,
    subject         VARCHAR(255) NOT NULL,
    html_content    TEXT NOT NULL,
    text_content    TEXT NOT NULL,
    built_in_sha256 CHAR(64),                    -- of our own text it holds; NULL once an admin wrote one
    created_at      TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE notifications (
    id              UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    mail_key        VARCHAR(200) NOT NULL UNIQUE, -- one mail per key, however often it is asked for
    user_id         UUID,                         -- NULL: to an address that is nobody's we know
    template_id     UUID NOT NULL REFERENCES notification_templates (id),
    order_id        UUID,
    recipient_email VARCHAR(255),                 -- NULL while auth has not told us the user's
    subject         VARCHAR(255) NOT NULL DEFAULT '',
    data            JSONB,                        -- what the template needs; blanked once the mail is sent or given up
    status          VARCHAR(50) NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'SENT', 'FAILED')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    claimed_until   TIMESTAMPTZ,                  -- its sender's lease; NULL: nobody is sending it
    due_at          TIMESTAMPTZ NOT NULL,         -- when the resend job asks for it again
    provider        VARCHAR(50),
    message_id      VARCHAR(255),                 -- as the provider calls it
    sent_at         TIMESTAMPTZ,
    delivery_status VARCHAR(50) CHECK (delivery_status IN ('SENT', 'DELIVERED', 'BOUNCED', 'COMPLAINED')),
    error_message   TEXT,
    created_at      TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at      TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT addressed CHECK (user_id IS NOT NULL OR recipient_email IS NOT NULL),
    CONSTRAINT sent_means_gone CHECK
        ((status = 'SENT') = (sent_at IS NOT NULL) AND (status <> 'SENT' OR recipient_email IS NOT NULL)),
    CONSTRAINT failed_has_a_reason CHECK (status <> 'FAILED' OR error_message IS NOT NULL),
    CONSTRAINT blanked CHECK ((status = 'PENDING') = (data IS NOT NULL))
);
CREATE INDEX notifications_due ON notifications (due_at) WHERE status = 'PENDING';
CREATE INDEX notifications_of_order ON notifications (order_id) WHERE order_id IS NOT NULL;
