import type { Route } from '../http/route.ts';
import { addressRoutes } from './addresses/address-routes.ts';
import { billRoutes } from './bills/bill-routes.ts';
import { categoryRoutes } from './categories/category-routes.ts';
import { clientRoutes, type ApiServices } from './clients/client-routes.ts';
import { orderDetailRoutes } from './order-details/order-detail-routes.ts';
import { orderRoutes } from './orders/order-routes.ts';
import { productRoutes } from './products/product-routes.ts';
import { reviewRoutes } from './reviews/review-routes.ts';

export type { ApiServices };

/** Every route of every resource. Opens nothing. */
export function createRoutes(services: ApiServices): readonly Route[] {
  return [
    ...clientRoutes(services),
    ...addressRoutes,
    ...categoryRoutes,
    ...productRoutes,
    ...reviewRoutes,
    ...billRoutes,
    ...orderRoutes,
    ...orderDetailRoutes,
  ];
}
