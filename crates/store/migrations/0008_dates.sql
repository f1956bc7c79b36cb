-- Date of arrival on the source, in seconds since 1970. A UID that shows another date later is another message.
ALTER TABLE message ADD COLUMN arrived INTEGER;
