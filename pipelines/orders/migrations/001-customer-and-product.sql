CREATE TABLE customer (
  customer_id integer PRIMARY KEY,
  customer_name text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX customer_updated_at ON customer (updated_at);

CREATE TABLE product (
  product_id integer PRIMARY KEY,
  product_name text,
  product_category text NOT NULL,
  price numeric(18,4) NOT NULL CHECK (price >= 0),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX product_updated_at ON product (updated_at);

-- Whoever changes a row need not think of it.
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER customer_touched BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER product_touched BEFORE UPDATE ON product FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
