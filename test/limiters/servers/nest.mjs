// Loads reflect-metadata, without which Nest's decorators do not work.
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';

/** What Module is given below makes it the root of the application. */
function Root() {}

class Things {
  list() {
    return [];
  }
}
Get('things')(Things.prototype, 'list', Object.getOwnPropertyDescriptor(Things.prototype, 'list'));
Controller()(Things);

export async function start({ limit, periodMs, port, trustedProxy }) {
  Module({
    imports: [ThrottlerModule.forRoot([{ ttl: periodMs, limit }])],
    controllers: [Things],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
  })(Root);
  const app = await NestFactory.create(Root, { logger: false });
  app.getHttpAdapter().getInstance().set('trust proxy', trustedProxy);
  await app.listen(port, '127.0.0.1');
}
