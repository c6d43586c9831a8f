-- Materialised views: tables that triggers keep true in the very transaction that changes the orders (triggers.sql), and that
-- refresh_materialized_views() recomputes as sets (procedures.sql). Money in them is at the products' current prices, as in the target
-- queries; a price change reaches them. Safe to run again.

SET NAMES utf8mb4;

-- The order history of each customer: one row an order.
CREATE TABLE IF NOT EXISTS MvOrderHistory (
  order_id    BIGINT        NOT NULL,
  customer_id BIGINT        NOT NULL,
  datePlaced  DATETIME      NOT NULL,
  dateShipped DATETIME      NULL,
  products    INT           NOT NULL DEFAULT 0,
  units       BIGINT        NOT NULL DEFAULT 0,
  total       DECIMAL(20,2) NOT NULL DEFAULT 0,
  CONSTRAINT pk_MvOrderHistory PRIMARY KEY (order_id),
  KEY ix_MvOrderHistory_customer (customer_id, datePlaced)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The buyers of each product, with what each bought in all.
CREATE TABLE IF NOT EXISTS MvProductBuyer (
  product_id  BIGINT NOT NULL,
  customer_id BIGINT NOT NULL,
  quantity    BIGINT NOT NULL,
  CONSTRAINT pk_MvProductBuyer PRIMARY KEY (product_id, customer_id),
  CONSTRAINT ck_MvProductBuyer_quantity CHECK (quantity >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
-- What a customer bought; by it the mirror finds the products that show a renamed customer (conf/pos-paged.example.yaml).
CREATE INDEX IF NOT EXISTS ix_MvProductBuyer_customer ON MvProductBuyer (customer_id);

-- Sales of each day (UTC). A day has up to 64 rows (bucket = order id modulo 64), or all tills would queue for one; read DailySales.
CREATE TABLE IF NOT EXISTS MvDailySales (
  day     DATE             NOT NULL,
  bucket  TINYINT UNSIGNED NOT NULL,
  orders  INT              NOT NULL DEFAULT 0,
  units   BIGINT           NOT NULL DEFAULT 0,
  revenue DECIMAL(22,2)    NOT NULL DEFAULT 0,
  CONSTRAINT pk_MvDailySales PRIMARY KEY (day, bucket)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE OR REPLACE VIEW DailySales AS
SELECT day, CAST(SUM(orders) AS SIGNED) AS orders, CAST(SUM(units) AS SIGNED) AS units, SUM(revenue) AS revenue FROM MvDailySales GROUP BY day;

-- A nightly recount, against what bypasses triggers. It runs where event_scheduler=ON, and on the primary only. It makes the tills
-- wait while it runs, hence the hour.
CREATE OR REPLACE EVENT ev_refresh_materialized_views
  ON SCHEDULE EVERY 1 DAY STARTS '2024-01-01 03:30:00'
  ON COMPLETION PRESERVE
  COMMENT 'recounts MvOrderHistory, MvProductBuyer and MvDailySales'
  DO CALL refresh_materialized_views();
