-- What a till calls. Each procedure either does all of its work or none, and says why not in error 1644 (SQLSTATE 45000).
-- Outside a transaction it is one of its own; inside one (or with autocommit=0) it belongs to the caller's, who commits, and a failure
-- takes back only what the procedure did. Products are locked first and in the order of their ids, so that tills don't deadlock.

SET NAMES utf8mb4;
DELIMITER //

-- Locks the products of a JSON list as place_order takes it, lowest id first; found: how many of them exist.
CREATE OR REPLACE PROCEDURE lock_products(IN pItems JSON, OUT pFound INT)
BEGIN
  -- The derived table is sorted and read first; each of its rows locks one product. LIMIT keeps its ORDER BY from being dropped.
  SELECT COUNT(p.id) INTO pFound
  FROM (SELECT DISTINCT product_id FROM JSON_TABLE(pItems, '$[*]' COLUMNS (product_id BIGINT PATH '$.product_id')) j
        ORDER BY product_id LIMIT 1000000) wanted STRAIGHT_JOIN Product p ON p.id = wanted.product_id
  FOR UPDATE;
END //

-- Refuses a list of items that isn't one: [{"product_id": 7, "quantity": 2}, ...]; quantity may be left out: 1.
CREATE OR REPLACE PROCEDURE check_items(IN pItems JSON)
BEGIN
  DECLARE message VARCHAR(120);
  IF pItems IS NULL OR NOT JSON_VALID(pItems) OR JSON_TYPE(pItems) <> 'ARRAY' THEN
    SET message = 'place_order: the items are not a JSON array';
  ELSEIF JSON_LENGTH(pItems) = 0 THEN
    SET message = 'place_order: an order needs at least one item';
  ELSE
    SELECT CONCAT('place_order: item ', i.n, IF(i.product IS NULL OR i.product NOT RLIKE '^[0-9]{1,18}$',
                  ' has no product_id that is a whole number', ' has no quantity between 1 and 999999')) INTO message
    FROM JSON_TABLE(pItems, '$[*]' COLUMNS (n FOR ORDINALITY, product VARCHAR(40) PATH '$.product_id',
                                            quantity VARCHAR(40) PATH '$.quantity' DEFAULT '1' ON EMPTY)) i
    WHERE i.product IS NULL OR i.product NOT RLIKE '^[0-9]{1,18}$' OR i.quantity IS NULL OR i.quantity NOT RLIKE '^0*[1-9][0-9]{0,5}$'
    ORDER BY i.n LIMIT 1;
  END IF;
  IF message IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
  END IF;
END //

-- Places an order of pItems (see check_items; repeated products add up) for a customer, takes the stock, and gives the order's id.
CREATE OR REPLACE PROCEDURE place_order(IN pCustomer BIGINT, IN pItems JSON, OUT pOrder BIGINT)
BEGIN
  DECLARE own BOOL DEFAULT @@autocommit AND NOT @@in_transaction;
  DECLARE found INT;
  DECLARE message VARCHAR(160);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    -- After a deadlock there is neither transaction nor savepoint left.
    DECLARE CONTINUE HANDLER FOR 1305 BEGIN END;
    IF own THEN ROLLBACK; ELSE ROLLBACK TO SAVEPOINT place_order; END IF;
    SET pOrder = NULL;
    RESIGNAL;
  END;
  IF own THEN START TRANSACTION; ELSE SAVEPOINT place_order; END IF;

  SET pOrder = NULL;
  CALL check_items(pItems);
  CALL lock_products(pItems, found);
  SELECT CASE WHEN p.id IS NULL THEN CONCAT('place_order: there is no product ', w.product_id)
              ELSE CONCAT('place_order: insufficient stock of product ', p.id, ': ', p.availableQuantity, ' left, ', w.quantity, ' ordered') END
    INTO message
  FROM (SELECT product_id, SUM(quantity) AS quantity
        FROM JSON_TABLE(pItems, '$[*]' COLUMNS (product_id BIGINT PATH '$.product_id', quantity INT PATH '$.quantity' DEFAULT '1' ON EMPTY)) j
        GROUP BY product_id) w LEFT JOIN Product p ON p.id = w.product_id
  WHERE p.id IS NULL OR p.availableQuantity < w.quantity ORDER BY w.product_id LIMIT 1 FOR UPDATE;
  IF message IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM Customer WHERE id = pCustomer LOCK IN SHARE MODE) THEN
    SET message = CONCAT('place_order: there is no customer ', COALESCE(pCustomer, 'NULL'));
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
  END IF;

  INSERT INTO `Order` (datePlaced, customer_id) VALUES (UTC_TIMESTAMP(), pCustomer);
  SET pOrder = LAST_INSERT_ID();
  INSERT INTO Orderline (order_id, product_id, quantity)
  SELECT pOrder, product_id, SUM(quantity)
  FROM JSON_TABLE(pItems, '$[*]' COLUMNS (product_id BIGINT PATH '$.product_id', quantity INT PATH '$.quantity' DEFAULT '1' ON EMPTY)) j
  GROUP BY product_id ORDER BY product_id;
  IF own THEN COMMIT; ELSE RELEASE SAVEPOINT place_order; END IF;
END //

-- Marks an order as shipped now.
CREATE OR REPLACE PROCEDURE ship_order(IN pOrder BIGINT)
BEGIN
  DECLARE message VARCHAR(120);
  UPDATE `Order` SET dateShipped = GREATEST(UTC_TIMESTAMP(), datePlaced) WHERE id = pOrder AND dateShipped IS NULL;
  IF ROW_COUNT() = 0 THEN
    SET message = CONCAT('ship_order: ', IF(EXISTS (SELECT 1 FROM `Order` WHERE id = pOrder LOCK IN SHARE MODE),
                         CONCAT('order ', pOrder, ' is shipped already'), CONCAT('there is no order ', COALESCE(pOrder, 'NULL'))));
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
  END IF;
END //

-- Takes an order back that isn't shipped: the stock returns, the order and its lines are deleted.
CREATE OR REPLACE PROCEDURE cancel_order(IN pOrder BIGINT)
BEGIN
  DECLARE own BOOL DEFAULT @@autocommit AND NOT @@in_transaction;
  DECLARE items JSON;
  DECLARE found, isShipped INT;
  DECLARE message VARCHAR(120);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    DECLARE CONTINUE HANDLER FOR 1305 BEGIN END;
    IF own THEN ROLLBACK; ELSE ROLLBACK TO SAVEPOINT cancel_order; END IF;
    RESIGNAL;
  END;
  IF own THEN START TRANSACTION; ELSE SAVEPOINT cancel_order; END IF;

  -- The products before the order, as in place_order. SELECT INTO, for SET would lock the lines that it reads.
  SELECT JSON_ARRAYAGG(JSON_OBJECT('product_id', product_id)) INTO items FROM Orderline WHERE order_id = pOrder;
  CALL lock_products(COALESCE(items, '[]'), found);
  SET isShipped = (SELECT dateShipped IS NOT NULL FROM `Order` WHERE id = pOrder FOR UPDATE);
  IF isShipped IS NULL OR isShipped THEN
    SET message = CONCAT('cancel_order: ', IF(isShipped, CONCAT('order ', pOrder, ' is shipped'), CONCAT('there is no order ', COALESCE(pOrder, 'NULL'))));
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
  END IF;
  -- Line by line: a range would also lock the gap into which new orders go. If a line came in between, its foreign key refuses the rest.
  DELETE l FROM JSON_TABLE(COALESCE(items, '[]'), '$[*]' COLUMNS (product_id BIGINT PATH '$.product_id')) i
    STRAIGHT_JOIN Orderline l ON l.order_id = pOrder AND l.product_id = i.product_id;
  DELETE FROM `Order` WHERE id = pOrder;
  IF own THEN COMMIT; ELSE RELEASE SAVEPOINT cancel_order; END IF;
END //

-- Gives a product a new price; the trigger writes PriceHistory. The same price again changes nothing.
CREATE OR REPLACE PROCEDURE change_price(IN pProduct BIGINT, IN pPrice DECIMAL(20,4))
BEGIN
  DECLARE message VARCHAR(120);
  IF pPrice IS NULL OR pPrice < 0 OR pPrice > 99999999.99 OR pPrice <> ROUND(pPrice, 2) THEN
    SET message = CONCAT('change_price: ', COALESCE(pPrice, 'NULL'), ' is not a price (0 to 99999999.99, two decimals)');
  ELSEIF NOT EXISTS (SELECT 1 FROM Product WHERE id = pProduct LOCK IN SHARE MODE) THEN
    SET message = CONCAT('change_price: there is no product ', COALESCE(pProduct, 'NULL'));
  END IF;
  IF message IS NOT NULL THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
  END IF;
  UPDATE Product SET currentPrice = pPrice WHERE id = pProduct;
END //

-- ------------------------------------------------------------------------------------------------------------------------------
-- Materialised views: one step for the triggers, and the recount. What is right already is not written again.
-- ------------------------------------------------------------------------------------------------------------------------------

-- An order line came (pLines 1), went (-1) or changed (0) by pUnits of a product.
CREATE OR REPLACE PROCEDURE mv_line_changed(IN pOrder BIGINT, IN pProduct BIGINT, IN pUnits INT, IN pLines INT)
BEGIN
  DECLARE customer BIGINT;
  DECLARE placed DATE;
  DECLARE worth DECIMAL(20,2);
  -- Locking reads see what is committed now, not what this transaction saw first.
  SELECT customer_id, DATE(datePlaced) INTO customer, placed FROM `Order` WHERE id = pOrder LOCK IN SHARE MODE;
  SELECT pUnits * currentPrice INTO worth FROM Product WHERE id = pProduct FOR UPDATE;
  UPDATE MvOrderHistory SET products = products + pLines, units = units + pUnits, total = total + worth WHERE order_id = pOrder;
  IF pUnits > 0 THEN
    INSERT INTO MvProductBuyer (product_id, customer_id, quantity) VALUES (pProduct, customer, pUnits)
      ON DUPLICATE KEY UPDATE quantity = quantity + VALUES(quantity);
  ELSEIF pUnits < 0 THEN
    UPDATE MvProductBuyer SET quantity = quantity + pUnits WHERE product_id = pProduct AND customer_id = customer;
    DELETE FROM MvProductBuyer WHERE product_id = pProduct AND customer_id = customer AND quantity = 0;
  END IF;
  UPDATE MvDailySales SET units = units + pUnits, revenue = revenue + worth WHERE day = placed AND bucket = pOrder % 64;
END //

-- Adds an order with all it holds to its day (pSign 1), or takes it away (-1).
CREATE OR REPLACE PROCEDURE mv_order_day(IN pOrder BIGINT, IN pDay DATE, IN pSign INT, IN pUnits BIGINT, IN pTotal DECIMAL(20,2))
BEGIN
  IF pSign > 0 THEN
    INSERT INTO MvDailySales (day, bucket, orders, units, revenue) VALUES (pDay, pOrder % 64, 1, pUnits, pTotal)
      ON DUPLICATE KEY UPDATE orders = orders + 1, units = units + VALUES(units), revenue = revenue + VALUES(revenue);
  ELSE
    UPDATE MvDailySales SET orders = orders - 1, units = units - pUnits, revenue = revenue - pTotal WHERE day = pDay AND bucket = pOrder % 64;
    DELETE FROM MvDailySales WHERE day = pDay AND bucket = pOrder % 64 AND orders = 0;
  END IF;
END //

CREATE OR REPLACE PROCEDURE refresh_order_history()
BEGIN
  INSERT INTO MvOrderHistory (order_id, customer_id, datePlaced, dateShipped, products, units, total)
  SELECT o.id, o.customer_id, o.datePlaced, o.dateShipped, COUNT(l.product_id), COALESCE(SUM(l.quantity), 0), COALESCE(SUM(l.quantity * p.currentPrice), 0)
  FROM `Order` o LEFT JOIN Orderline l ON l.order_id = o.id LEFT JOIN Product p ON p.id = l.product_id GROUP BY o.id
  ON DUPLICATE KEY UPDATE customer_id = VALUES(customer_id), datePlaced = VALUES(datePlaced), dateShipped = VALUES(dateShipped),
                          products = VALUES(products), units = VALUES(units), total = VALUES(total);
  DELETE m FROM MvOrderHistory m LEFT JOIN `Order` o ON o.id = m.order_id WHERE o.id IS NULL;
END //

CREATE OR REPLACE PROCEDURE refresh_product_buyers()
BEGIN
  IF NOT EXISTS (SELECT 1 FROM MvProductBuyer) THEN
    -- The first filling adds up in place, product by product: half the time of sorting first.
    INSERT INTO MvProductBuyer (product_id, customer_id, quantity)
    SELECT l.product_id, o.customer_id, l.quantity
    FROM Product p STRAIGHT_JOIN Orderline l ON l.product_id = p.id STRAIGHT_JOIN `Order` o ON o.id = l.order_id
    ON DUPLICATE KEY UPDATE quantity = MvProductBuyer.quantity + VALUES(quantity);
  ELSE
    INSERT INTO MvProductBuyer (product_id, customer_id, quantity)
    SELECT l.product_id, o.customer_id, SUM(l.quantity) FROM Orderline l JOIN `Order` o ON o.id = l.order_id GROUP BY l.product_id, o.customer_id
    ON DUPLICATE KEY UPDATE quantity = VALUES(quantity);
    -- All true rows are there now: there are false ones only if the sums differ.
    IF (SELECT COALESCE(SUM(quantity), 0) FROM MvProductBuyer) <> (SELECT COALESCE(SUM(quantity), 0) FROM Orderline) THEN
      DELETE m FROM MvProductBuyer m WHERE NOT EXISTS
        (SELECT 1 FROM Orderline l JOIN `Order` o ON o.id = l.order_id WHERE l.product_id = m.product_id AND o.customer_id = m.customer_id);
    END IF;
  END IF;
END //

CREATE OR REPLACE PROCEDURE refresh_daily_sales()
BEGIN
  INSERT INTO MvDailySales (day, bucket, orders, units, revenue)
  SELECT DATE(datePlaced), order_id % 64, COUNT(*), SUM(units), SUM(total) FROM MvOrderHistory GROUP BY 1, 2
  ON DUPLICATE KEY UPDATE orders = VALUES(orders), units = VALUES(units), revenue = VALUES(revenue);
  DELETE m FROM MvDailySales m LEFT JOIN (SELECT DISTINCT DATE(datePlaced) AS day, order_id % 64 AS bucket FROM MvOrderHistory) d
    ON d.day = m.day AND d.bucket = m.bucket WHERE d.day IS NULL;
END //

-- Recounts all three in one transaction (the caller's open one, where there is one). Sales wait until it is through.
CREATE OR REPLACE PROCEDURE refresh_materialized_views()
BEGIN
  DECLARE own BOOL DEFAULT @@autocommit AND NOT @@in_transaction;
  DECLARE products BIGINT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    IF own THEN ROLLBACK; END IF;
    RESIGNAL;
  END;
  IF own THEN START TRANSACTION; END IF;
  -- Every sale locks its products first, so this one lock holds all of them off, instead of deadlocks.
  SELECT COUNT(*) INTO products FROM Product FOR UPDATE;
  CALL refresh_order_history();
  CALL refresh_product_buyers();
  CALL refresh_daily_sales();
  IF own THEN COMMIT; END IF;
END //
DELIMITER ;
