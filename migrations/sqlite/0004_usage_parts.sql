-- Usage in finer parts, and what pricing a call again needs. Rows from before have no images and no units: 0 where they
-- have a usage. The parts are NULL, as the older ones are, in new rows without a usage.
ALTER TABLE exchange ADD COLUMN prompt_image_tokens BIGINT DEFAULT 0;
ALTER TABLE exchange ADD COLUMN completion_image_tokens BIGINT DEFAULT 0;
ALTER TABLE exchange ADD COLUMN web_searches BIGINT DEFAULT 0;
ALTER TABLE exchange ADD COLUMN tool_units BIGINT DEFAULT 0;
ALTER TABLE exchange ADD COLUMN search_units BIGINT DEFAULT 0;
-- reported, partial or estimated; NULL without a usage, and in rows from before this migration
ALTER TABLE exchange ADD COLUMN usage_source TEXT;
ALTER TABLE exchange ADD COLUMN service_tier TEXT;
-- a JSON object of the price table's units, where the parts do not say all that was priced
ALTER TABLE exchange ADD COLUMN priced_units TEXT;

ALTER TABLE session ADD COLUMN prompt_image_tokens BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN completion_image_tokens BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN web_searches BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN tool_units BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN search_units BIGINT NOT NULL DEFAULT 0;
