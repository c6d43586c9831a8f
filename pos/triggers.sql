-- Triggers: the price history, the stock, and the rows of the materialised views, in the transaction of the change itself.
-- They run on the primary only (replicas get the rows). With @tillway_etl = 1, which the ETL sets, orders of the past come in without
-- touching the stock, and the materialised rows are left to refresh_materialized_views().
--
-- Stock is symmetric: an order line takes it, deleting or lowering the line gives it back. AFTER triggers do it, for BEFORE INSERT also
-- fires for rows that INSERT IGNORE drops and ON DUPLICATE KEY turns into updates.

SET NAMES utf8mb4;
DELIMITER //

-- The product is locked before the line's foreign key takes a shared lock on it, or two tills that sell the same would deadlock.
CREATE OR REPLACE TRIGGER tr_Orderline_before_insert BEFORE INSERT ON Orderline FOR EACH ROW
BEGIN
  DECLARE locked BIGINT;
  IF @tillway_etl IS NULL THEN
    SELECT MAX(id) INTO locked FROM Product WHERE id = NEW.product_id FOR UPDATE;
  END IF;
END //

CREATE OR REPLACE PROCEDURE take_stock(IN pProduct BIGINT, IN pUnits INT)
BEGIN
  DECLARE message VARCHAR(120);
  UPDATE Product SET availableQuantity = availableQuantity - pUnits WHERE id = pProduct AND availableQuantity >= pUnits;
  IF ROW_COUNT() = 0 THEN
    SET message = CONCAT('insufficient stock of product ', pProduct, ': ',
                         COALESCE((SELECT availableQuantity FROM Product WHERE id = pProduct FOR UPDATE), 'none'), ' left, ', pUnits, ' more ordered');
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = message;
  END IF;
END //

CREATE OR REPLACE TRIGGER tr_Orderline_after_insert AFTER INSERT ON Orderline FOR EACH ROW
BEGIN
  IF @tillway_etl IS NULL THEN
    CALL take_stock(NEW.product_id, NEW.quantity);
    CALL mv_line_changed(NEW.order_id, NEW.product_id, NEW.quantity, 1);
  END IF;
END //

-- This one also fires for rows that UPDATE IGNORE leaves as they were: they stand at their old key still.
CREATE OR REPLACE TRIGGER tr_Orderline_after_update AFTER UPDATE ON Orderline FOR EACH ROW
BEGIN
  IF @tillway_etl IS NULL THEN
    IF NEW.order_id = OLD.order_id AND NEW.product_id = OLD.product_id THEN
      IF NEW.quantity <> OLD.quantity THEN
        CALL take_stock(NEW.product_id, NEW.quantity - OLD.quantity);
        CALL mv_line_changed(NEW.order_id, NEW.product_id, NEW.quantity - OLD.quantity, 0);
      END IF;
    ELSEIF NOT EXISTS (SELECT 1 FROM Orderline WHERE order_id = OLD.order_id AND product_id = OLD.product_id) THEN
      CALL take_stock(OLD.product_id, -OLD.quantity);
      CALL mv_line_changed(OLD.order_id, OLD.product_id, -OLD.quantity, -1);
      CALL take_stock(NEW.product_id, NEW.quantity);
      CALL mv_line_changed(NEW.order_id, NEW.product_id, NEW.quantity, 1);
    END IF;
  END IF;
END //

CREATE OR REPLACE TRIGGER tr_Orderline_after_delete AFTER DELETE ON Orderline FOR EACH ROW
BEGIN
  IF @tillway_etl IS NULL THEN
    CALL take_stock(OLD.product_id, -OLD.quantity);
    CALL mv_line_changed(OLD.order_id, OLD.product_id, -OLD.quantity, -1);
  END IF;
END //

CREATE OR REPLACE TRIGGER tr_Order_after_insert AFTER INSERT ON `Order` FOR EACH ROW
BEGIN
  IF @tillway_etl IS NULL THEN
    INSERT INTO MvOrderHistory (order_id, customer_id, datePlaced, dateShipped) VALUES (NEW.id, NEW.customer_id, NEW.datePlaced, NEW.dateShipped);
    CALL mv_order_day(NEW.id, DATE(NEW.datePlaced), 1, 0, 0);
  END IF;
END //

-- An order may be moved to another day or customer, with its lines; without lines it may also get another id. What UPDATE IGNORE left as
-- it was isn't as NEW says.
CREATE OR REPLACE TRIGGER tr_Order_after_update AFTER UPDATE ON `Order` FOR EACH ROW
BEGIN
  DECLARE held BIGINT;
  DECLARE worth DECIMAL(20,2);
  IF @tillway_etl IS NULL AND EXISTS (SELECT 1 FROM `Order` WHERE id = NEW.id AND customer_id = NEW.customer_id AND datePlaced = NEW.datePlaced) THEN
    UPDATE MvOrderHistory SET order_id = NEW.id, customer_id = NEW.customer_id, datePlaced = NEW.datePlaced, dateShipped = NEW.dateShipped
      WHERE order_id = OLD.id;
    IF NEW.id <> OLD.id OR DATE(NEW.datePlaced) <> DATE(OLD.datePlaced) THEN
      SELECT units, total INTO held, worth FROM MvOrderHistory WHERE order_id = NEW.id FOR UPDATE;
      CALL mv_order_day(OLD.id, DATE(OLD.datePlaced), -1, held, worth);
      CALL mv_order_day(NEW.id, DATE(NEW.datePlaced), 1, held, worth);
    END IF;
    IF NEW.customer_id <> OLD.customer_id THEN
      UPDATE MvProductBuyer b JOIN Orderline l ON l.product_id = b.product_id SET b.quantity = b.quantity - l.quantity
        WHERE l.order_id = NEW.id AND b.customer_id = OLD.customer_id;
      DELETE b FROM MvProductBuyer b JOIN Orderline l ON l.product_id = b.product_id
        WHERE l.order_id = NEW.id AND b.customer_id = OLD.customer_id AND b.quantity = 0;
      INSERT INTO MvProductBuyer (product_id, customer_id, quantity)
        SELECT l.product_id, NEW.customer_id, l.quantity FROM Orderline l WHERE l.order_id = NEW.id
        ON DUPLICATE KEY UPDATE quantity = MvProductBuyer.quantity + VALUES(quantity);
    END IF;
  END IF;
END //

CREATE OR REPLACE TRIGGER tr_Order_after_delete AFTER DELETE ON `Order` FOR EACH ROW
BEGIN
  IF @tillway_etl IS NULL THEN
    DELETE FROM MvOrderHistory WHERE order_id = OLD.id;
    CALL mv_order_day(OLD.id, DATE(OLD.datePlaced), -1, 0, 0);
  END IF;
END //

-- Orders show current prices, so a new price reaches every order that holds the product, and its day.
CREATE OR REPLACE TRIGGER tr_Product_after_update AFTER UPDATE ON Product FOR EACH ROW
BEGIN
  IF NEW.currentPrice <> OLD.currentPrice THEN
    INSERT INTO PriceHistory (product_id, oldPrice, newPrice, changedAt) VALUES (NEW.id, OLD.currentPrice, NEW.currentPrice, UTC_TIMESTAMP(6));
    IF @tillway_etl IS NULL THEN
      UPDATE MvOrderHistory h JOIN Orderline l ON l.order_id = h.order_id
        SET h.total = h.total + l.quantity * (NEW.currentPrice - OLD.currentPrice) WHERE l.product_id = NEW.id;
      UPDATE MvDailySales d JOIN (SELECT DATE(h.datePlaced) AS day, h.order_id % 64 AS bucket, SUM(l.quantity) AS units
                                  FROM Orderline l JOIN MvOrderHistory h ON h.order_id = l.order_id
                                  WHERE l.product_id = NEW.id GROUP BY 1, 2) sold ON sold.day = d.day AND sold.bucket = d.bucket
        SET d.revenue = d.revenue + sold.units * (NEW.currentPrice - OLD.currentPrice);
    END IF;
  END IF;
END //
DELIMITER ;
