-- Accounts, their sessions, and the links mailed to them. No token is stored, only what it hashes to (SHA-256, hex).

CREATE TABLE users (
    id             UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    email          VARCHAR(255) NOT NULL CONSTRAINT users_email_is_unique UNIQUE,
    password_hash  VARCHAR(255) NOT NULL,
    first_name     VARCHAR(100) NOT NULL CHECK (first_name <> ''),
    last_name      VARCHAR(100) NOT NULL CHECK (last_name <> ''),
    date_of_birth  DATE NOT NULL,
    email_verified BOOLEAN NOT NULL DEFAULT FALSE,
    role           VARCHAR(20) NOT NULL DEFAULT 'ATTENDEE' CHECK (role IN ('ATTENDEE', 'ORGANIZER', 'ADMIN')),
    version        INTEGER NOT NULL DEFAULT 1,
    created_at     TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at     TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT users_email_is_lower_case CHECK (email = lower(email))
);

CREATE TABLE user_sessions (
    id         UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash VARCHAR(255) NOT NULL UNIQUE,      -- of the one refresh token that works
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX user_sessions_user ON user_sessions (user_id);
CREATE INDEX user_sessions_expiry ON user_sessions (expires_at);

-- Refresh tokens that have been exchanged: whoever shows one again has stolen it, or was stolen from.
CREATE TABLE used_refresh_tokens (
    token_hash VARCHAR(255) PRIMARY KEY,
    session_id UUID NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    used_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX used_refresh_tokens_session ON used_refresh_tokens (session_id);

CREATE TABLE email_tokens (
    id         UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind       VARCHAR(10) NOT NULL CHECK (kind IN ('VERIFY', 'RESET')),
    token_hash VARCHAR(255) NOT NULL UNIQUE,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX email_tokens_user ON email_tokens (user_id, kind, created_at);
CREATE INDEX email_tokens_expiry ON email_tokens (expires_at);

-- Sign-ins that failed, or have not succeeded yet. The account is a hash of the address that was typed: a failure is
-- remembered alike whether or not there is such an account, and nobody's address is kept because somebody typed it.
CREATE TABLE sign_in_failures (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account   VARCHAR(64) NOT NULL,
    address   VARCHAR(64) NOT NULL,
    failed_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sign_in_failures_address ON sign_in_failures (address, failed_at);
CREATE INDEX sign_in_failures_time ON sign_in_failures (failed_at);
