CREATE TABLE item (
  id integer PRIMARY KEY,
  note text,
  large text,
  price numeric(18,4) NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Stored beside the row as it is, so that a change of another column does not carry it.
ALTER TABLE item ALTER COLUMN large SET STORAGE EXTERNAL;
CREATE FUNCTION touch_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER item_touched BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch_item();
