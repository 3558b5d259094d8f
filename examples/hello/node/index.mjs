// Adds up an order and says how much time is left.
export const handler = async (event, context) => {
  const items = event.items ?? [];
  const total = items.reduce((sum, item) => sum + item.price * item.quantity, 0);
  console.log('order of', items.length, 'items');
  return {
    total: Number(total.toFixed(2)),
    items: items.length,
    node: process.versions.node,
    remaining_ms: context.getRemainingTimeInMillis(),
  };
};
