-- Every event, as it was understood. Times are instants: timestamptz, stored in UTC.
CREATE TABLE user_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id integer NOT NULL,
  movie_id integer NOT NULL,
  event_type varchar(50) NOT NULL,
  event_timestamp timestamptz NOT NULL,
  processed_at timestamptz NOT NULL,
  created_at timestamptz DEFAULT now()
);

CREATE INDEX idx_user_events_user_id ON user_events (user_id);
CREATE INDEX idx_user_events_movie_id ON user_events (movie_id);
CREATE INDEX idx_user_events_event_type ON user_events (event_type);
CREATE INDEX idx_user_events_timestamp ON user_events (event_timestamp DESC);
CREATE INDEX idx_user_events_user_movie ON user_events (user_id, movie_id);
CREATE INDEX idx_user_events_user_type ON user_events (user_id, event_type);
-- get_recent_events sorts by it.
CREATE INDEX idx_user_events_processed_at ON user_events (processed_at DESC);

CREATE VIEW user_events_stats AS
SELECT
  event_type,
  count(*) AS total_events,
  count(DISTINCT user_id) AS unique_users,
  count(DISTINCT movie_id) AS unique_movies,
  min(event_timestamp) AS first_event,
  max(event_timestamp) AS last_event
FROM user_events
GROUP BY event_type;

-- The newest by processing time; within one batch the last written first.
CREATE FUNCTION get_recent_events(limit_count integer DEFAULT 10)
RETURNS TABLE (
  id bigint,
  user_id integer,
  movie_id integer,
  event_type varchar(50),
  event_timestamp timestamptz,
  processed_at timestamptz
)
LANGUAGE sql STABLE AS $$
  SELECT e.id, e.user_id, e.movie_id, e.event_type, e.event_timestamp, e.processed_at
  FROM user_events e
  ORDER BY e.processed_at DESC, e.id DESC
  LIMIT limit_count
$$;

CREATE FUNCTION get_user_events(p_user_id integer, limit_count integer DEFAULT 100)
RETURNS TABLE (
  id bigint,
  movie_id integer,
  event_type varchar(50),
  event_timestamp timestamptz
)
LANGUAGE sql STABLE AS $$
  SELECT e.id, e.movie_id, e.event_type, e.event_timestamp
  FROM user_events e
  WHERE e.user_id = p_user_id
  ORDER BY e.event_timestamp DESC, e.id DESC
  LIMIT limit_count
$$;
