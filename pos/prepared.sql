-- Prepared statements: the text is parsed once, values never become part of it. Changes nothing.
--   mariadb --table DATABASE < prepared.sql

SET NAMES utf8mb4;

SELECT '1. A customer by e-mail (ix_Customer_email)' AS demonstration;
PREPARE by_email FROM 'SELECT id, firstName, lastName, email FROM Customer WHERE email = ?';
SET @email = (SELECT email FROM Customer WHERE email IS NOT NULL ORDER BY id LIMIT 1);
EXECUTE by_email USING @email;

SELECT '2. Customers by the beginning of the name (ix_Customer_name), the same statement with two values' AS demonstration;
PREPARE by_name FROM 'SELECT id, firstName, lastName FROM Customer WHERE lastName LIKE CONCAT(?, ''%'') ORDER BY lastName, firstName, id LIMIT 5';
SET @name = 'Sm';
EXECUTE by_name USING @name;
SET @name = 'Ga';
EXECUTE by_name USING @name;

SELECT '3. Products by the beginning of the name (ix_Product_name)' AS demonstration;
PREPARE products FROM 'SELECT id, name, currentPrice FROM Product WHERE name LIKE CONCAT(?, ''%'') ORDER BY name, id LIMIT 5';
SET @name = 'Coffee';
EXECUTE products USING @name;

SELECT '4. Orders of a span of time (ix_Order_placed)' AS demonstration;
PREPARE orders FROM 'SELECT COUNT(*) AS orders, MIN(datePlaced) AS first, MAX(datePlaced) AS last FROM `Order` WHERE datePlaced >= ? AND datePlaced < ?';
SET @from = '2024-03-01', @upTo = '2024-04-01';
EXECUTE orders USING @from, @upTo;

SELECT '5. Target query 3 with the customer as a value' AS demonstration;
PREPARE bought FROM 'SELECT p.name AS ProductName, ol.quantity FROM Orderline ol JOIN Product p ON ol.product_id = p.id JOIN `Order` o ON ol.order_id = o.id WHERE o.customer_id = ? ORDER BY o.id, p.id LIMIT 5';
SET @customer = 1;
EXECUTE bought USING @customer;

SELECT '6. An injection attempt stays data: no customer has this e-mail, and no table is dropped' AS demonstration;
SET @email = 'x'' OR ''1''=''1''; DELETE FROM Orderline; -- ';
SELECT @email AS attempt;
SELECT COUNT(*) AS linesBefore FROM Orderline;
EXECUTE by_email USING @email;
SELECT COUNT(*) AS linesAfter FROM Orderline;

SELECT '7. What the same text does where it is pasted into the statement: every customer is told' AS demonstration;
SET @pasted = CONCAT('SELECT COUNT(*) AS customersTold FROM Customer WHERE email = ''', ''' OR ''1''=''1', '''');
SELECT @pasted AS statement;
PREPARE pasted FROM @pasted;
EXECUTE pasted;

DEALLOCATE PREPARE by_email;
DEALLOCATE PREPARE by_name;
DEALLOCATE PREPARE products;
DEALLOCATE PREPARE orders;
DEALLOCATE PREPARE bought;
DEALLOCATE PREPARE pasted;
SET @email = NULL, @name = NULL, @from = NULL, @upTo = NULL, @customer = NULL, @pasted = NULL;
