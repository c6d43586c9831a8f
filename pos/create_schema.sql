-- The point-of-sale schema. Safe to run again: what exists is left as it is.
--
-- Ids are BIGINT, money is DECIMAL, moments are DATETIME in UTC. Nothing cascades: InnoDB writes no row events for what a foreign key
-- deletes, so a reader of the binlog would never learn of it. Orderlines are deleted by statements (see cancel_order).

SET NAMES utf8mb4;

CREATE TABLE IF NOT EXISTS City (
  zip   CHAR(5)      NOT NULL,
  city  VARCHAR(100) NOT NULL,
  state VARCHAR(50)  NOT NULL,
  CONSTRAINT pk_City PRIMARY KEY (zip),
  CONSTRAINT ck_City_zip CHECK (zip RLIKE '^[0-9]{5}$'),
  CONSTRAINT ck_City_city CHECK (city <> ''),
  CONSTRAINT ck_City_state CHECK (state <> '')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- A name may lack one of its parts (''), not both. zip is NULL where it isn't known.
CREATE TABLE IF NOT EXISTS Customer (
  id        BIGINT       NOT NULL AUTO_INCREMENT,
  firstName VARCHAR(100) NOT NULL,
  lastName  VARCHAR(100) NOT NULL,
  email     VARCHAR(254) NULL,
  address1  VARCHAR(200) NULL,
  address2  VARCHAR(200) NULL,
  phone     VARCHAR(40)  NULL,
  birthdate DATE         NULL,
  zip       CHAR(5)      NULL,
  CONSTRAINT pk_Customer PRIMARY KEY (id),
  CONSTRAINT ck_Customer_name CHECK (firstName <> '' OR lastName <> ''),
  CONSTRAINT ck_Customer_email CHECK (email LIKE '%_@_%'),
  CONSTRAINT fk_Customer_City FOREIGN KEY (zip) REFERENCES City (zip) ON DELETE RESTRICT ON UPDATE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS Product (
  id                BIGINT        NOT NULL AUTO_INCREMENT,
  name              VARCHAR(200)  NOT NULL,
  currentPrice      DECIMAL(10,2) NOT NULL,
  availableQuantity INT           NOT NULL DEFAULT 0,
  CONSTRAINT pk_Product PRIMARY KEY (id),
  CONSTRAINT ck_Product_name CHECK (name <> ''),
  CONSTRAINT ck_Product_price CHECK (currentPrice >= 0),
  CONSTRAINT ck_Product_stock CHECK (availableQuantity >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `Order` (
  id          BIGINT   NOT NULL AUTO_INCREMENT,
  datePlaced  DATETIME NOT NULL,
  dateShipped DATETIME NULL,
  customer_id BIGINT   NOT NULL,
  CONSTRAINT pk_Order PRIMARY KEY (id),
  CONSTRAINT ck_Order_shipped CHECK (dateShipped >= datePlaced),
  CONSTRAINT fk_Order_Customer FOREIGN KEY (customer_id) REFERENCES Customer (id) ON DELETE RESTRICT ON UPDATE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS Orderline (
  order_id   BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  quantity   INT    NOT NULL DEFAULT 1,
  CONSTRAINT pk_Orderline PRIMARY KEY (order_id, product_id),
  CONSTRAINT ck_Orderline_quantity CHECK (quantity > 0),
  CONSTRAINT fk_Orderline_Order FOREIGN KEY (order_id) REFERENCES `Order` (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT fk_Orderline_Product FOREIGN KEY (product_id) REFERENCES Product (id) ON DELETE RESTRICT ON UPDATE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS PriceHistory (
  id         BIGINT        NOT NULL AUTO_INCREMENT,
  product_id BIGINT        NOT NULL,
  oldPrice   DECIMAL(10,2) NOT NULL,
  newPrice   DECIMAL(10,2) NOT NULL,
  changedAt  DATETIME(6)   NOT NULL,
  CONSTRAINT pk_PriceHistory PRIMARY KEY (id),
  CONSTRAINT ck_PriceHistory_changed CHECK (oldPrice <> newPrice),
  CONSTRAINT fk_PriceHistory_Product FOREIGN KEY (product_id) REFERENCES Product (id) ON DELETE RESTRICT ON UPDATE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- A row of a CSV file that could not be mended, byte for byte (its line end apart), and why.
CREATE TABLE IF NOT EXISTS EtlReject (
  file       VARCHAR(32)  NOT NULL,
  lineNumber INT UNSIGNED NOT NULL,
  rawRow     BLOB         NOT NULL,
  reason     VARCHAR(200) NOT NULL,
  CONSTRAINT pk_EtlReject PRIMARY KEY (file, lineNumber)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What became of each file's rows in the last load. rowsLoaded were the last of their key and stand in the main table.
CREATE TABLE IF NOT EXISTS EtlCount (
  file         VARCHAR(32) NOT NULL,
  rowsRead     BIGINT      NOT NULL,
  rowsLoaded   BIGINT      NOT NULL,
  rowsMerged   BIGINT      NOT NULL,
  rowsRejected BIGINT      NOT NULL,
  CONSTRAINT pk_EtlCount PRIMARY KEY (file),
  CONSTRAINT ck_EtlCount_sum CHECK (rowsRead = rowsLoaded + rowsMerged + rowsRejected)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
