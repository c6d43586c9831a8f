-- Views, plain ones: always as true as the tables. Safe to run again.

SET NAMES utf8mb4;

-- Target query 1: who lives where. Customers without a known ZIP are left out, as there.
CREATE OR REPLACE VIEW CustomerCity AS
SELECT c.id AS CustomerID, CONCAT(c.firstName, ' ', c.lastName) AS CustomerName, ci.city, ci.state
FROM Customer c JOIN City ci ON c.zip = ci.zip;

-- The address as one text; parts that aren't known are left out, NULL if none is.
CREATE OR REPLACE VIEW CustomerAddress AS
SELECT c.id AS CustomerID,
       NULLIF(CONCAT_WS(', ', NULLIF(c.address1, ''), NULLIF(c.address2, ''), ci.city, CONCAT(ci.state, ' ', ci.zip)), '') AS FullAddress
FROM Customer c LEFT JOIN City ci ON ci.zip = c.zip;

-- Target query 2: orders with their totals at current prices. Orders without lines are left out, as there.
CREATE OR REPLACE VIEW OrderTotal AS
SELECT o.id AS OrderID, o.customer_id AS CustomerID, o.datePlaced, o.dateShipped, SUM(ol.quantity * p.currentPrice) AS OrderTotal
FROM `Order` o JOIN Orderline ol ON o.id = ol.order_id JOIN Product p ON ol.product_id = p.id
GROUP BY o.id;

-- Target query 3 for every customer (WHERE CustomerID = ...): what was bought.
CREATE OR REPLACE VIEW CustomerPurchase AS
SELECT o.customer_id AS CustomerID, o.id AS OrderID, p.id AS ProductID, p.name AS ProductName, ol.quantity
FROM Orderline ol JOIN Product p ON ol.product_id = p.id JOIN `Order` o ON ol.order_id = o.id;

-- A customer's orders, from the materialised rows.
CREATE OR REPLACE VIEW CustomerOrders AS
SELECT customer_id AS CustomerID, order_id AS OrderID, datePlaced, dateShipped, products, units, total FROM MvOrderHistory;

-- What waits to be shipped; ORDER BY datePlaced gives the oldest first, from ix_Order_open.
CREATE OR REPLACE VIEW OpenOrders AS
SELECT id AS OrderID, customer_id AS CustomerID, datePlaced FROM `Order` WHERE dateShipped IS NULL;

-- What runs out.
CREATE OR REPLACE VIEW LowStock AS
SELECT id AS ProductID, name AS ProductName, availableQuantity FROM Product WHERE availableQuantity < 10;

-- A product's prices in time.
CREATE OR REPLACE VIEW PriceChanges AS
SELECT h.product_id AS ProductID, p.name AS ProductName, h.oldPrice, h.newPrice, h.changedAt
FROM PriceHistory h JOIN Product p ON p.id = h.product_id;
