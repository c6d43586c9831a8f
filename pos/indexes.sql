-- Indexes beyond the primary keys. Each stands for a query of this folder, named above it; tests/pos/test_explain.py holds each to it.
-- The ones that begin with a foreign key's column replace the one that InnoDB makes for the key. Safe to run again.

-- Buyers of a product (generate_aggregates.sql) and units sold by product (reports.sql: best sellers), from the index alone.
CREATE INDEX IF NOT EXISTS ix_Orderline_product ON Orderline (product_id, quantity);
-- A customer's orders in time (target query 3; views.sql: CustomerOrders; reports.sql: repeat rate). Serves fk_Order_Customer.
CREATE INDEX IF NOT EXISTS ix_Order_customer ON `Order` (customer_id, datePlaced);
-- Orders of a span of time (prepared.sql: orders of a month).
CREATE INDEX IF NOT EXISTS ix_Order_placed ON `Order` (datePlaced);
-- What waits to be shipped, oldest first (views.sql: OpenOrders).
CREATE INDEX IF NOT EXISTS ix_Order_open ON `Order` (dateShipped, datePlaced);
-- The customers of a place (reports.sql: customers of Houston): city, then its ZIPs' customers. ix_Customer_zip serves fk_Customer_City.
CREATE INDEX IF NOT EXISTS ix_City_city ON City (city, state);
CREATE INDEX IF NOT EXISTS ix_Customer_zip ON Customer (zip);
-- A customer at the till says who he is (prepared.sql: by e-mail; by the beginning of the name).
CREATE INDEX IF NOT EXISTS ix_Customer_email ON Customer (email);
CREATE INDEX IF NOT EXISTS ix_Customer_name ON Customer (lastName, firstName);
-- Products by the beginning of the name (prepared.sql).
CREATE INDEX IF NOT EXISTS ix_Product_name ON Product (name);
-- A product's prices in time (views.sql: PriceChanges). Serves fk_PriceHistory_Product.
CREATE INDEX IF NOT EXISTS ix_PriceHistory_product ON PriceHistory (product_id, changedAt);
