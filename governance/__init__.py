"""Who decided what: releases and the record."""
