-- Transactions shown by rows before and after. Leaves the database as it found it.
--   mariadb --table DATABASE < transactions.sql
-- The phone of the first customer is what changes.

SET NAMES utf8mb4;
SET @who = (SELECT MIN(id) FROM Customer);
SET @phone = (SELECT phone FROM Customer WHERE id = @who);

SELECT '1. COMMIT: the change stays' AS demonstration;
SELECT 'before' AS moment, id, firstName, lastName, phone FROM Customer WHERE id = @who;
START TRANSACTION;
UPDATE Customer SET phone = '555-0001' WHERE id = @who;
COMMIT;
SELECT 'after' AS moment, id, firstName, lastName, phone FROM Customer WHERE id = @who;
UPDATE Customer SET phone = @phone WHERE id = @who;

SELECT '2. ROLLBACK: the change is gone' AS demonstration;
SELECT 'before' AS moment, id, firstName, lastName, phone FROM Customer WHERE id = @who;
START TRANSACTION;
UPDATE Customer SET phone = '555-0002' WHERE id = @who;
SELECT 'inside' AS moment, id, firstName, lastName, phone FROM Customer WHERE id = @who;
ROLLBACK;
SELECT 'after' AS moment, id, firstName, lastName, phone FROM Customer WHERE id = @who;

SELECT '3. SAVEPOINT: what came after it is gone, what came before stays' AS demonstration;
SELECT 'before' AS moment, id, phone, email FROM Customer WHERE id = @who;
START TRANSACTION;
UPDATE Customer SET phone = '555-0003' WHERE id = @who;
SAVEPOINT phone_is_changed;
UPDATE Customer SET email = 'wrong@example.org' WHERE id = @who;
SELECT 'inside' AS moment, id, phone, email FROM Customer WHERE id = @who;
ROLLBACK TO SAVEPOINT phone_is_changed;
COMMIT;
SELECT 'after' AS moment, id, phone, email FROM Customer WHERE id = @who;
UPDATE Customer SET phone = @phone WHERE id = @who;

SELECT '4. DDL commits what is open: ROLLBACK comes too late' AS demonstration;
SELECT 'before' AS moment, id, firstName, lastName, phone FROM Customer WHERE id = @who;
START TRANSACTION;
UPDATE Customer SET phone = '555-0004' WHERE id = @who;
CREATE OR REPLACE TABLE TransactionsDemo (id BIGINT NOT NULL, CONSTRAINT pk_TransactionsDemo PRIMARY KEY (id)) ENGINE=InnoDB;
ROLLBACK;
SELECT 'after' AS moment, id, firstName, lastName, phone FROM Customer WHERE id = @who;
DROP TABLE TransactionsDemo;
UPDATE Customer SET phone = @phone WHERE id = @who;

SELECT '5. A procedure in a transaction belongs to it: the order and the stock it took go with ROLLBACK' AS demonstration;
SET @product = (SELECT id FROM Product WHERE availableQuantity > 0 ORDER BY id LIMIT 1);
SELECT 'before' AS moment, availableQuantity, (SELECT COUNT(*) FROM `Order`) AS orders FROM Product WHERE id = @product;
START TRANSACTION;
CALL place_order(@who, JSON_ARRAY(JSON_OBJECT('product_id', @product, 'quantity', 1)), @order);
SELECT 'inside' AS moment, availableQuantity, (SELECT COUNT(*) FROM `Order`) AS orders FROM Product WHERE id = @product;
ROLLBACK;
SELECT 'after' AS moment, availableQuantity, (SELECT COUNT(*) FROM `Order`) AS orders FROM Product WHERE id = @product;

SET @who = NULL, @phone = NULL, @product = NULL, @order = NULL;
