-- The documents of the collections customers and products, by SQL alone, straight from the main tables (not from the materialised ones).
--   mariadb --batch --raw --skip-column-names --quick DATABASE < generate_aggregates.sql
-- prints a line a document: the collection, a tab, the document in MongoDB's extended JSON v2. No tab or newline stands inside: JSON
-- writes them as \t and \n. ./generate_aggregates cuts the lines into customers.json and products.json for mongoimport.
--
-- Ids are longs, money is Decimal128, dates are dates (a DATETIME is UTC, a birthdate is its midnight in UTC), quantities are numbers.
-- NULL is null. Orders stand in the order of Order ID, Items of Product ID, Buyers of Customer ID. A customer without orders and a product
-- without buyers have an empty array, an order without lines has total 0.00. Parts of the address that are NULL or empty are left out.

SET NAMES utf8mb4;
-- JSON_ARRAYAGG is cut at this length.
SET SESSION group_concat_max_len = 1073741824;
-- Both collections from one moment.
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;

SELECT 'customers', JSON_OBJECT(
  '_id', JSON_OBJECT('$numberLong', CAST(c.id AS CHAR)),
  'Customer ID', JSON_OBJECT('$numberLong', CAST(c.id AS CHAR)),
  'Customer Name', CONCAT(c.firstName, ' ', c.lastName),
  'Email', c.email,
  'Phone', c.phone,
  'Birthdate', IF(c.birthdate IS NULL, NULL, JSON_OBJECT('$date', DATE_FORMAT(c.birthdate, '%Y-%m-%dT00:00:00Z'))),
  'Full Address', NULLIF(CONCAT_WS(', ', NULLIF(c.address1, ''), NULLIF(c.address2, ''), ci.city, CONCAT(ci.state, ' ', ci.zip)), ''),
  'Orders', (
    SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT(
      'Order ID', JSON_OBJECT('$numberLong', CAST(o.id AS CHAR)),
      'Date Placed', JSON_OBJECT('$date', DATE_FORMAT(o.datePlaced, '%Y-%m-%dT%H:%i:%sZ')),
      'Date Shipped', IF(o.dateShipped IS NULL, NULL, JSON_OBJECT('$date', DATE_FORMAT(o.dateShipped, '%Y-%m-%dT%H:%i:%sZ'))),
      'Order Total', JSON_OBJECT('$numberDecimal', (
        SELECT CAST(CAST(COALESCE(SUM(l.quantity * p.currentPrice), 0) AS DECIMAL(30,2)) AS CHAR)
        FROM Orderline l JOIN Product p ON p.id = l.product_id WHERE l.order_id = o.id)),
      'Items', (
        SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT(
          'Product ID', JSON_OBJECT('$numberLong', CAST(p.id AS CHAR)),
          'Product Name', p.name,
          'Quantity', l.quantity,
          'Unit Price', JSON_OBJECT('$numberDecimal', CAST(p.currentPrice AS CHAR))) ORDER BY p.id), JSON_ARRAY())
        FROM Orderline l JOIN Product p ON p.id = l.product_id WHERE l.order_id = o.id)) ORDER BY o.id), JSON_ARRAY())
    FROM `Order` o WHERE o.customer_id = c.id))
FROM Customer c LEFT JOIN City ci ON ci.zip = c.zip ORDER BY c.id;

SELECT 'products', JSON_OBJECT(
  '_id', JSON_OBJECT('$numberLong', CAST(p.id AS CHAR)),
  'Product ID', JSON_OBJECT('$numberLong', CAST(p.id AS CHAR)),
  'Product Name', p.name,
  'Current Price', JSON_OBJECT('$numberDecimal', CAST(p.currentPrice AS CHAR)),
  'Available Quantity', p.availableQuantity,
  'Buyers', IF(COUNT(c.id) = 0, JSON_ARRAY(), JSON_ARRAYAGG(JSON_OBJECT(
    'Customer ID', JSON_OBJECT('$numberLong', CAST(c.id AS CHAR)),
    'Customer Name', CONCAT(c.firstName, ' ', c.lastName),
    'Quantity', b.quantity) ORDER BY c.id)))
FROM Product p
  LEFT JOIN (SELECT l.product_id, o.customer_id, CAST(SUM(l.quantity) AS SIGNED) AS quantity
             FROM Orderline l JOIN `Order` o ON o.id = l.order_id GROUP BY l.product_id, o.customer_id) b ON b.product_id = p.id
  LEFT JOIN Customer c ON c.id = b.customer_id
GROUP BY p.id ORDER BY p.id;

COMMIT;
