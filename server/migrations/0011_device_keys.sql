-- A session's key in the device's hardware: SEC 1, uncompressed. NULL: none was registered.
ALTER TABLE sessions ADD COLUMN device_key blob;
-- When the browser first showed the cookie that this key fetches, and from when on it must. NULL: it has shown none.
ALTER TABLE sessions ADD COLUMN device_shown_at_ms BIGINT;
